// Buttons that copy a value. They are hidden until this script can make them work.
for (const button of document.querySelectorAll("button[data-copy]")) {
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    const words = button.firstChild;
    const before = words.textContent;
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      words.textContent = "Copied";
    } catch {
      words.textContent = "Select and copy it by hand";
    }
    setTimeout(() => { words.textContent = before; }, 2000);
  });
}

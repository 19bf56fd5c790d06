// Shows exact times in the reader's own zone: the server knows UTC only.
for (const element of document.querySelectorAll("time[datetime]")) {
  const at = new Date(element.dateTime);
  if (!Number.isNaN(at.getTime())) {
    element.title = at.toLocaleString(undefined, { dateStyle: "long", timeStyle: "short" });
  }
}

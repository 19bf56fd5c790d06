// On a narrow screen the backoffice's navigation scrolls: where one is must be in sight.
document.querySelector(".subnav a[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

// What every page's frame does: the colours switch, and closing the menu.

const KEY = "ecm theme";

for (const choice of document.querySelectorAll("input[name=theme]")) {
  choice.checked = choice.value === (localStorage.getItem(KEY) ?? "auto");
  choice.addEventListener("change", () => {
    localStorage.setItem(KEY, choice.value);
    if (choice.value === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = choice.value;
  });
}

// On a phone the pages stand in a row that scrolls: the one that is open is in sight.
for (const here of document.querySelectorAll("nav [aria-current]")) here.scrollIntoView({ block: "nearest", inline: "center" });

const menu = document.querySelector("details.menu");
document.addEventListener("click", (event) => {
  if (menu?.open && !menu.contains(event.target)) menu.open = false;
});
menu?.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

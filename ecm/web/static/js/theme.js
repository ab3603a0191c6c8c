// Before anything is painted: the colours chosen on this machine, else the system's.
const chosen = localStorage.getItem("ecm theme");
if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;

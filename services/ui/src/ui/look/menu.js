// The menu of the person: Escape and a click elsewhere close it, as people expect of a menu.
() => {
  const menus = () => document.querySelectorAll("#ts-person details.ts-you[open]");
  document.addEventListener("click", (event) => {
    for (const menu of menus()) if (!menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of menus()) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });
}

// Shows the list of conversations on a small screen, or hides it.
() => {
  const list = document.getElementById("chat-history");
  const open = list.classList.toggle("ts-open");
  document.getElementById("chat-fold").setAttribute("aria-expanded", open);
}

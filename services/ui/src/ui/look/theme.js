// Switches between light and dark, and remembers it.
() => {
  const dark = document.body.classList.toggle("dark");
  localStorage.setItem("tonesmith-theme", dark ? "dark" : "light");
}

// Runs when the page loads: what the reader chose last time, before the first request.
(chosen, ...rest) => {
  const theme = localStorage.getItem("tonesmith-theme");
  if (theme) document.body.classList.toggle("dark", theme === "dark");
  const known = new URLSearchParams(location.search).get("lang");
  return [known || localStorage.getItem("tonesmith-language") || "", ...rest];
}

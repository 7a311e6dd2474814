// Runs when the page loads: what the reader chose last time, before the first request.
(chosen, ...rest) => {
  const theme = localStorage.getItem("tonesmith-theme");
  if (theme) document.body.classList.toggle("dark", theme === "dark");
  // What this browser tab keeps belongs to who wrote it, not to who logs in next.
  const user = window.gradio_config?.username ?? "";
  const before = sessionStorage.getItem("tonesmith-user");
  if (before !== null && before !== user) sessionStorage.clear();
  sessionStorage.setItem("tonesmith-user", user);
  const known = new URLSearchParams(location.search).get("lang");
  return [known || localStorage.getItem("tonesmith-language") || "", ...rest];
}

// Remembers the language, and tells the browser, which picks glyphs and line breaks by it.
(language) => {
  document.documentElement.lang = language === "zh" ? "zh-CN" : language;
  localStorage.setItem("tonesmith-language", language);
  // An address that named another language would win over this choice at the next load.
  const address = new URL(location.href);
  if (address.searchParams.has("lang") && address.searchParams.get("lang") !== language) {
    address.searchParams.set("lang", language);
    history.replaceState(history.state, "", address);
  }
  // Gradio names this one button in English only.
  const words = __MORE__;
  document
    .querySelector("#ts-tabs .overflow-menu > button")
    ?.setAttribute("aria-label", words[language] ?? words.en);
}

// Remembers the language, and tells the browser, which picks glyphs and line breaks by it.
(language) => {
  document.documentElement.lang = language === "zh" ? "zh-CN" : language;
  localStorage.setItem("tonesmith-language", language);
}

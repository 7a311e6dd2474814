// A log-in that ran out while the page is open: what was asked waits, the person logs in beside it,
// and then it goes on. Nothing that was written is lost, because nothing is loaded again.
() => {
  if (window.tonesmithAgain) return;
  window.tonesmithAgain = true;
  const words = __WORDS__;
  const ask = window.fetch.bind(window);
  const user = window.gradio_config?.username ?? "";
  let waiting = null;

  const banner = () => {
    const said = words[document.documentElement.lang.slice(0, 2)] ?? words.en;
    const shown = document.createElement("div");
    shown.id = "ts-again";
    shown.setAttribute("role", "alertdialog");
    shown.setAttribute("aria-label", said.title);
    const text = document.createElement("p");
    const link = document.createElement("a");
    text.textContent = said.title;
    link.textContent = said.enter;
    link.href = __WAY__;
    link.target = "_blank";
    shown.append(text, link);
    document.querySelector(".gradio-container").append(shown);
    link.focus();
    return shown;
  };

  // Resolves once somebody is logged in; somebody else gets a page of their own.
  const entered = async () => {
    const shown = banner();
    for (;;) {
      await new Promise((done) => setTimeout(done, 2000));
      const answer = await ask(__WHO__).catch(() => null);
      if (!answer?.ok) continue;
      const { user: found } = await answer.json();
      if (found !== user) location.reload();
      shown.remove();
      return;
    }
  };

  window.fetch = async (input, options) => {
    for (;;) {
      const answer = await ask(input, options);
      const ours = new URL(answer.url || location.href).origin === location.origin;
      if (answer.status !== 401 || !ours) return answer;
      waiting ??= entered().finally(() => {
        waiting = null;
      });
      await waiting;
    }
  };
}

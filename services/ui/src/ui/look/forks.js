// Lets the pickers of branches stand at the messages that they are about; Escape stops a reply.
const talk = element.closest(".ts-talk");
const place = () => {
  const rows = talk.querySelectorAll(".ts-chat .message-row");
  for (const old of talk.querySelectorAll(".ts-chat .ts-fork")) old.remove();
  for (const fork of element.querySelectorAll(".ts-fork")) {
    const row = rows[Number(fork.dataset.row)];
    if (!row) continue;
    const copy = fork.cloneNode(true);
    copy.addEventListener("click", (event) => {
      const chosen = event.target.closest("[data-act]");
      if (chosen) trigger("click", { ...chosen.dataset });
    });
    const tools = row.nextElementSibling;
    (tools?.className.includes("message-buttons") ? tools : row).append(copy);
    fork.classList.add("ts-placed");
  }
  const said = element.querySelector("p, li, .ts-fork:not(.ts-placed)");
  talk.querySelector("#chat-below").classList.toggle("ts-bare", !said);
};
let asked = 0;
const later = () => {
  cancelAnimationFrame(asked);
  asked = requestAnimationFrame(place);
};
watch("value", later);
later();
new MutationObserver((changes) => {
  const rows = changes.some((change) =>
    [...change.addedNodes, ...change.removedNodes].some(
      (node) => node.matches?.(".message-row, .message-wrap") || node.querySelector?.(".message-row"),
    ),
  );
  if (rows) later();
}).observe(talk, { childList: true, subtree: true });
talk.addEventListener("keydown", (event) => {
  if (event.key === "Escape") talk.querySelector("#chat-stop")?.click();
});

// The keys of the review, and the row that is looked at. Rows of a page are all there: going from
// one to the next asks nobody. Orders wait in a queue until the page's next event takes them along.
(_, ...rest) => {
  const ROW = "tonesmith-review-row";
  const at = (id) => document.getElementById(id);
  const seen = () => Boolean(at("review-list")?.offsetParent);
  const writing = () => Boolean(at("review-edit")?.offsetParent);
  const desk = (window.tonesmithReview ??= {
    orders: [],
    number: Number(sessionStorage.getItem(ROW) ?? -1),
    index: 0,
    chosen: new Set(),
    every: false,
    want: "",
    scope: null,
    serial: "",
  });
  const lines = () => [...document.querySelectorAll("#review-list li[data-number]")];
  const numberOf = (line) => Number(line.dataset.number);

  const show = (index, follow) => {
    const found = lines();
    if (!found.length) return;
    desk.index = Math.max(0, Math.min(index, found.length - 1));
    const line = found[desk.index];
    desk.number = numberOf(line);
    sessionStorage.setItem(ROW, String(desk.number));
    for (const one of found) {
      const button = one.querySelector(".ts-review-line");
      if (one === line) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    }
    for (const whole of document.querySelectorAll("#review-whole article")) {
      whole.hidden = Number(whole.dataset.number) !== desk.number;
    }
    const why = document.querySelector("#review-why section");
    if (why) why.hidden = Number(why.dataset.number) !== desk.number;
    const box = line.closest("ol");
    if (follow && box) {
      const [top, bottom] = [line.offsetTop - box.offsetTop, line.offsetTop - box.offsetTop + line.offsetHeight];
      if (top < box.scrollTop) box.scrollTop = top;
      if (bottom > box.scrollTop + box.clientHeight) box.scrollTop = bottom - box.clientHeight;
    }
  };

  const mark = () => {
    for (const line of lines()) {
      line.querySelector(".ts-review-pick").checked = desk.every || desk.chosen.has(numberOf(line));
    }
    const all = at("review-pick-all");
    if (all) all.checked = desk.every || (lines().length > 0 && desk.chosen.size === lines().length);
    const told = at("review-picked");
    if (!told) return;
    const { none, some, all: whole } = told.dataset;
    const count = String(desk.chosen.size);
    told.textContent = desk.every ? whole : desk.chosen.size ? some.replace("{count}", count) : none;
    told.closest(".ts-review-bulk").classList.toggle("ts-is-on", desk.every || desk.chosen.size > 0);
  };

  const settle = () => {
    const list = document.querySelector("#review-list ol");
    if (!list) return;
    const found = lines().map(numberOf);
    if (list.dataset.scope !== desk.scope) {
      desk.scope = list.dataset.scope;
      desk.chosen.clear();
      desk.every = false;
    }
    desk.chosen = new Set([...desk.chosen].filter((number) => found.includes(number)));
    const fresh = list.dataset.serial !== desk.serial;
    desk.serial = list.dataset.serial;
    const goto = fresh && list.dataset.goto !== undefined ? Number(list.dataset.goto) : desk.number;
    const place = found.indexOf(goto);
    const wanted = { first: 0, last: found.length - 1 }[desk.want];
    desk.want = "";
    show(wanted ?? (place >= 0 ? place : desk.index), true);
    mark();
  };

  // Do what a key says, but nothing about a row that is gone: rows may have come whose event has not
  // ended yet, and it would be decided about what nobody sees.
  const ABOUT_A_ROW = "aroxgwe";
  const press = (key) => {
    const list = document.querySelector("#review-list ol");
    if (list && list.dataset.serial !== desk.serial) {
      const there = lines().some((line) => numberOf(line) === desk.number);
      settle();
      if (!there && ABOUT_A_ROW.includes(key)) return;
    }
    actions[key]();
  };

  const send = (order) => {
    desk.orders.push(order);
    at("review-send")?.click();
  };

  const key = () => `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;

  const move = (by) => {
    const next = desk.index + by;
    if (next >= 0 && next < lines().length) {
      desk.want = ""; // whoever moves has arrived
      return show(next, true);
    }
    const page = document.querySelector(`#review-list [data-page="${by}"]`);
    if (!page || page.disabled) return undefined;
    desk.want = by > 0 ? "first" : "last";
    return send({ do: "page", by });
  };

  const decide = (what) => {
    if (desk.number < 0 || !lines().length) return;
    send({ do: what, rows: [desk.number] });
    if (what !== "reopen" && desk.index + 1 < lines().length) show(desk.index + 1, true);
  };

  const bulk = (action) => {
    if (!desk.every && !desk.chosen.size) return;
    send({ do: "ask", action, rows: desk.every ? null : [...desk.chosen], key: key() });
  };

  const focusSoon = (id, tries = 60) => {
    const box = document.querySelector(`#${id} textarea, #${id} input`);
    if (box?.offsetParent) box.focus();
    else if (tries) setTimeout(() => focusSoon(id, tries - 1), 50);
  };

  const pick = (number) => {
    if (desk.every) desk.chosen = new Set(lines().map(numberOf));
    desk.every = false;
    if (!desk.chosen.delete(number)) desk.chosen.add(number);
    mark();
  };

  const actions = {
    j: () => move(1),
    k: () => move(-1),
    a: () => decide("accept"),
    r: () => decide("reject"),
    o: () => decide("reopen"),
    u: () => send({ do: "undo" }),
    g: () => desk.number >= 0 && send({ do: "regenerate", rows: [desk.number], key: key() }),
    w: () => desk.number >= 0 && send({ do: "explain", rows: [desk.number] }),
    e: () => {
      if (desk.number < 0) return;
      send({ do: "edit", rows: [desk.number] });
      focusSoon("review-reply");
    },
    x: () => desk.number >= 0 && pick(desk.number),
    A: () => bulk("accept"),
    R: () => bulk("reject"),
    G: () => bulk("regenerate"),
    O: () => bulk("reopen"),
    all: () => {
      desk.every = !desk.every;
      desk.chosen.clear();
      mark();
    },
    "/": () => focusSoon("review-text", 1),
    "?": () => {
      const list = at("review-keys-list");
      if (list) list.hidden = !list.hidden;
    },
  };

  // Opens the rows that another sheet points at.
  const lead = (wanted) => {
    desk.orders.push({ do: "filter", filter: JSON.parse(wanted) });
    desk.want = "first";
    at("data-sheet-review-button")?.click();
  };

  const escape = (target) => {
    const sure = document.querySelector('.ts-review-sure [data-order*="no"]');
    const list = at("review-keys-list");
    if (writing()) at("review-cancel")?.click();
    else if (sure) sure.click();
    else if (list && !list.hidden) list.hidden = true;
    else target.blur?.();
  };

  const TYPING =
    "input:not([type=checkbox], [readonly]), textarea, select, [contenteditable=true], [aria-expanded=true]";

  const onKey = (event) => {
    if (!seen() || event.isComposing) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && writing()) {
      event.preventDefault();
      at("review-save")?.click();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") return escape(event.target);
    if (writing() || event.target.closest?.(TYPING)) return;
    if (event.key === "all" || !actions[event.key]) return;
    event.preventDefault();
    press(event.key);
  };

  const onClick = (event) => {
    const target = event.target;
    const pressed = target.closest?.("[data-press]");
    const ordered = target.closest?.("[data-order]");
    const pointed = target.closest?.("[data-filter]");
    const line = target.closest?.("#review-list .ts-review-line");
    const sheet = target.closest?.("[data-sheet]");
    if (pressed) press(pressed.dataset.press);
    else if (ordered) {
      if (ordered.dataset.page) desk.want = "first";
      const order = JSON.parse(ordered.dataset.order);
      if (order.do === "yes") {
        desk.every = false; // what was selected is done with
        desk.chosen.clear();
      }
      send(order);
    } else if (pointed) lead(pointed.dataset.filter);
    else if (sheet) at(`data-sheet-${sheet.dataset.sheet}-button`)?.click();
    else if (line) show(lines().indexOf(line.closest("li")), false);
  };

  const onChange = (event) => {
    const target = event.target;
    if (target.id === "review-pick-all") {
      desk.every = false;
      desk.chosen = new Set(target.checked ? lines().map(numberOf) : []);
      mark();
    } else if (target.matches?.(".ts-review-pick")) pick(numberOf(target.closest("li")));
  };

  if (!desk.settle) {
    document.addEventListener("keydown", onKey);
    document.addEventListener("click", onClick);
    document.addEventListener("change", onChange);
    // The page puts new rows in place after the event that brought them has ended.
    desk.settle = () => [0, 60, 250].forEach((wait) => setTimeout(settle, wait));
  }
  const told = JSON.stringify({ seen: seen() || desk.orders.length > 0, orders: desk.orders.splice(0) });
  return [told, ...rest];
}

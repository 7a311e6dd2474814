// Opens the tab that the address names; from then on the address names the tab that is open.
() => {
  const ids = __IDS__;
  const row = document.querySelector("#ts-tabs .tab-wrapper");
  const seen = (id) => row.querySelector(`[role="tablist"] [data-tab-id="${id}"]`);
  window.tonesmithTab = (id) => {
    const address = new URL(location.href);
    if (id === __FIRST__) address.searchParams.delete("tab");
    else address.searchParams.set("tab", id);
    history.replaceState(history.state, "", address);
  };
  const wanted = new URLSearchParams(location.search).get("tab");
  if (!ids.includes(wanted)) return;
  // What does not fit into the row is in a menu, in the same order, and has no id there.
  const folded = ids.filter((id) => !seen(id));
  const menu = row.querySelectorAll(".overflow-dropdown button");
  (seen(wanted) ?? menu[folded.indexOf(wanted)])?.click();
}

"""The page's tabs, in the order of the work: a new one is a module with `build`, and a line."""

from ui.tabs import chat, compare, data, monitor, prove, styles, train
from ui.tabs.tab import Tab

TABS: tuple[Tab, ...] = (
    Tab("styles", styles.build),
    Tab("data", data.build),
    Tab("train", train.build),
    Tab("prove", prove.build),
    Tab("chat", chat.build),
    Tab("compare", compare.build),
    Tab("monitor", monitor.build),
)
# What a page opens with.
FIRST_TAB = "chat"

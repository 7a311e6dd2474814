"""The page's tabs, in the order of the work: a new one is a module with `build`, and a line."""

from ui.tabs import chat, compare, monitor, train
from ui.tabs.tab import Tab

TABS: tuple[Tab, ...] = (
    Tab("train", train.build),
    Tab("chat", chat.build),
    Tab("compare", compare.build),
    Tab("monitor", monitor.build),
)
# What a page opens with.
FIRST_TAB = "chat"

"""The page's tabs, in their order: a new one is a module with `build`, and a line in `TABS`."""

from ui.tabs import chat, compare, monitor, train
from ui.tabs.tab import Tab

TABS: tuple[Tab, ...] = (
    Tab("chat", chat.build),
    Tab("compare", compare.build),
    Tab("train", train.build),
    Tab("monitor", monitor.build),
)

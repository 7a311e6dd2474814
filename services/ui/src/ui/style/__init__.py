"""Style cards, below the tab: forms, drafts, differences, previews."""

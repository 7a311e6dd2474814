"""The schema of the page's state, step by step: a script that was released is never changed.

`conversations.leaf` is the last message of the branch that is shown; a message's `parent` is what
it follows, so that an edited question or a second answer is another child of the same parent.
"""

SESSIONS = """
CREATE TABLE ended_sessions (id TEXT PRIMARY KEY, expires REAL NOT NULL);
"""

CONVERSATIONS = """
CREATE TABLE conversations (
    number INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, user TEXT NOT NULL, title TEXT NOT NULL,
    setup TEXT NOT NULL, leaf INTEGER, created TEXT NOT NULL, updated TEXT NOT NULL);
CREATE INDEX conversations_by_user ON conversations (user, updated);
CREATE TABLE messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    conversation INTEGER NOT NULL REFERENCES conversations (number) ON DELETE CASCADE,
    parent INTEGER REFERENCES messages (id) ON DELETE CASCADE,
    role TEXT NOT NULL, content TEXT NOT NULL, model TEXT NOT NULL, style TEXT NOT NULL,
    at TEXT NOT NULL, size INTEGER NOT NULL);
CREATE INDEX messages_by_conversation ON messages (conversation, parent);
CREATE INDEX messages_by_parent ON messages (parent);
"""

BALLOTS = """
CREATE TABLE votes (
    message INTEGER PRIMARY KEY REFERENCES messages (id) ON DELETE CASCADE,
    value INTEGER NOT NULL, correction TEXT);
CREATE TABLE outbox (
    key TEXT PRIMARY KEY, number INTEGER NOT NULL, user TEXT NOT NULL, vote TEXT NOT NULL,
    refused TEXT NOT NULL DEFAULT '');
CREATE INDEX outbox_by_number ON outbox (number);
"""

MIGRATIONS = (SESSIONS, CONVERSATIONS, BALLOTS)

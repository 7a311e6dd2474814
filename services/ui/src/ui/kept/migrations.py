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

ARENA = """
CREATE TABLE arena (
    user TEXT NOT NULL, evaluation TEXT NOT NULL, pair TEXT NOT NULL, style TEXT NOT NULL,
    first TEXT NOT NULL, second TEXT NOT NULL, outcome TEXT NOT NULL, left_seat TEXT NOT NULL,
    at TEXT NOT NULL, PRIMARY KEY (user, evaluation, pair));
"""

# Whether a reply is whole; one that was broken off stays `cut`, and so does one that still grows.
REPLIES = """
ALTER TABLE messages ADD COLUMN state TEXT NOT NULL DEFAULT 'whole';
"""

MIGRATIONS = (SESSIONS, CONVERSATIONS, BALLOTS, ARENA, REPLIES)

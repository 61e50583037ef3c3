BEGIN TRANSACTION;
CREATE TABLE api_keys (
    prefix TEXT PRIMARY KEY, digest TEXT NOT NULL, name TEXT NOT NULL, subject TEXT NOT NULL,
    tenant TEXT NOT NULL, scopes TEXT NOT NULL, created_at REAL NOT NULL, expires_at REAL NOT NULL,
    last_used_at REAL NOT NULL, lifetime REAL NOT NULL
) WITHOUT ROWID;
INSERT INTO "api_keys" VALUES('H48ZT6YZ','85eb4e08e5d22a4a3e937be787fd7effcd199f1814e603698666efa091cc98ac','old','svc-old','','orders:read',1.79595808277957296374e+09,0.0,0.0,0.0);
CREATE INDEX api_keys_subject ON api_keys (subject);
COMMIT;

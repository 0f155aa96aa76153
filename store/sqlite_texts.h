/* sqlite_texts.h: every SQL statement but the schema, in one list. */
#ifndef CG_STORE_SQLITE_TEXTS_H
#define CG_STORE_SQLITE_TEXTS_H

/* clang-format off */
#define CG_SQL_ENTRY "idx, kind, commitment, subject, object_digest, time, data, leaf, extra"
#define CG_SQL_NAME "name, serial, owner, commitment, record, expires_at, tombstone, log_idx"

#define CG_SQL_LIST(X) \
    X(BEGIN, "BEGIN IMMEDIATE") \
    X(BEGIN_READ, "BEGIN") \
    X(COMMIT, "COMMIT") \
    X(ROLLBACK, "ROLLBACK") \
    X(ENTRY_ADD, "INSERT INTO entry (" CG_SQL_ENTRY ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)") \
    X(ENTRY_NEXT, "SELECT ifnull(max(idx) + 1, 0) FROM entry") \
    X(ENTRY_RANGE, "SELECT " CG_SQL_ENTRY " FROM entry WHERE idx >= ? ORDER BY idx LIMIT ?") \
    X(ENTRY_FIND, "SELECT " CG_SQL_ENTRY " FROM entry WHERE commitment = ?1 AND (kind = ?2 OR ?2 = '')" \
                  " AND kind <> 'map-head' ORDER BY idx DESC LIMIT 1") \
    X(ENTRY_FIND_CERT, "SELECT " CG_SQL_ENTRY " FROM entry WHERE extra = ? AND kind = 'tlsls'" \
                       " ORDER BY idx DESC LIMIT 1") \
    X(OBJECT_ADD, "INSERT INTO object (digest, data) VALUES (?, ?) ON CONFLICT DO NOTHING") \
    X(OBJECT, "SELECT data FROM object WHERE digest = ?") \
    X(NODE_ADD, "INSERT INTO node (level, idx, hash) VALUES (?, ?, ?)") \
    X(NODE_RANGE, "SELECT idx, hash FROM node WHERE level = ? AND idx >= ? ORDER BY idx LIMIT ?") \
    X(LEAF_RANGE, "SELECT idx, leaf FROM entry WHERE idx >= ? ORDER BY idx LIMIT ?") \
    X(HEAD_ADD, "INSERT INTO checkpoint (size, root, time) VALUES (?, ?, ?)") \
    X(HEAD_SIGN, "UPDATE checkpoint SET note = ? WHERE size = ? AND note IS NULL") \
    X(HEAD_CLEAR, "UPDATE checkpoint SET note = x'' WHERE size = (SELECT size FROM checkpoint" \
                  " WHERE note IS NOT NULL ORDER BY size DESC LIMIT 1)") \
    X(HEAD_NEWEST, "SELECT size, root, time, note FROM checkpoint ORDER BY size DESC LIMIT 2") \
    X(HEAD, "SELECT size, root, time, note FROM checkpoint WHERE size = ? AND note IS NOT NULL") \
    X(STATE_PUT, "INSERT INTO state (key, kind, id, value, idx) VALUES (?, ?, ?, ?, ?)" \
                 " ON CONFLICT (key) DO UPDATE SET value = excluded.value, idx = excluded.idx") \
    X(STATE, "SELECT key, kind, id, value, idx FROM state WHERE key = ?") \
    X(PAGE_PUT, "INSERT INTO map_page (prefix, bytes) VALUES (?, ?)" \
                " ON CONFLICT (prefix) DO UPDATE SET bytes = excluded.bytes") \
    X(PAGE_DROP, "DELETE FROM map_page WHERE prefix = ?") \
    X(PAGE, "SELECT bytes FROM map_page WHERE prefix = ?") \
    X(NAME_SETTLED, "SELECT ifnull(max(serial), 0) FROM name WHERE name = ? AND log_idx IS NOT NULL") \
    X(NAME_PROPOSE, "INSERT INTO name (name, serial, owner, commitment, record, expires_at, tombstone)" \
                    " VALUES (?, ?, ?, ?, ?, ?, ?)") \
    X(NAME_SETTLE, "UPDATE name SET log_idx = ? WHERE name = ? AND serial = ? AND log_idx IS NULL") \
    X(NAME_WITHDRAW, "DELETE FROM name WHERE name = ? AND serial = ? AND log_idx IS NULL") \
    X(NAME_CURRENT, "SELECT " CG_SQL_NAME " FROM name WHERE name = ? AND log_idx IS NOT NULL" \
                    " ORDER BY serial DESC LIMIT 1") \
    X(NAME_AT, "SELECT " CG_SQL_NAME " FROM name WHERE name = ? AND serial = ? AND log_idx IS NOT NULL") \
    X(NAME_PROPOSED, "SELECT " CG_SQL_NAME " FROM name WHERE name = ? AND log_idx IS NULL") \
    X(NAME_PROPOSED_NEXT, "SELECT " CG_SQL_NAME " FROM name WHERE name > ? AND log_idx IS NULL" \
                          " ORDER BY name LIMIT 1") \
    X(WALLET_PUT, "INSERT INTO wallet (did, doc) VALUES (?, ?)" \
                  " ON CONFLICT (did) DO UPDATE SET doc = excluded.doc") \
    X(WALLET, "SELECT doc FROM wallet WHERE did = ?") \
    X(CHALLENGE_SWEEP, "DELETE FROM challenge WHERE expires <= ?") \
    X(CHALLENGE_COUNT, "SELECT count(*) FROM challenge") \
    X(CHALLENGE_PUT, "INSERT INTO challenge (token, name, did, expires) VALUES (?, ?, ?, ?)") \
    X(CHALLENGE_TAKE, "DELETE FROM challenge WHERE token = ? AND name = ? AND did = ? AND expires > ?") \
    X(ALLOW_PUT, "INSERT INTO allowed (name, did) VALUES (?, ?)" \
                 " ON CONFLICT (name) DO UPDATE SET did = excluded.did") \
    X(ALLOW_DROP, "DELETE FROM allowed WHERE name = ?") \
    X(ALLOW, "SELECT did FROM allowed WHERE name = ?") \
    X(SEEN_NAME, "SELECT serial, commitment FROM seen_name WHERE name = ?") \
    X(SEEN_NAME_PUT, "INSERT INTO seen_name (name, serial, commitment) VALUES (?, ?, ?)" \
                     " ON CONFLICT (name) DO UPDATE SET serial = excluded.serial," \
                     " commitment = excluded.commitment") \
    X(SEEN_LOG, "SELECT size, root, time FROM seen_log WHERE log = ?") \
    X(SEEN_LOG_PUT, "INSERT INTO seen_log (log, size, root, time) VALUES (?, ?, ?, ?)" \
                    " ON CONFLICT (log) DO UPDATE SET size = excluded.size, root = excluded.root," \
                    " time = excluded.time")
/* clang-format on */

enum cg_sql {
#define X(name, text) SQL_##name,
    CG_SQL_LIST(X)
#undef X
        SQL_COUNT
};

#endif

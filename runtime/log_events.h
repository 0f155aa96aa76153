/* log_events.h: every event that is ever logged. A line that is not here cannot be logged, so this
 * is the whole list an operator has to know; scripts/log-events makes docs/internals/log-events.md
 * of it, to be run after each change here.
 *
 * An event's name says what happened, in the past tense; its level is given where it is logged. */
#ifndef CG_RUNTIME_LOG_EVENTS_H
#define CG_RUNTIME_LOG_EVENTS_H

/*    name                     what happened */
/* clang-format off */
#define CG_LOG_EVENTS(X)                                                                           \
    /* the process */                                                                              \
    X(started,                 "all roles are ready")                                              \
    X(start_failed,            "the process could not start; problem says why and what to do")     \
    X(stopping,                "asked to stop: no new connections, open ones may end")             \
    X(stopped,                 "the process ends")                                                 \
    X(drain_cut,               "the drain limit passed; what was still open is closed")            \
    X(loop_stalled,            "a thread gave no sign of life for a while")                        \
    X(limit_raised,            "the limit of open files as it is now")                             \
    X(keys_not_locked,         "private keys may reach the swap: RLIMIT_MEMLOCK is too small")     \
    X(notify_failed,           "the service manager could not be told")                            \
    X(log_dropped,             "lines lost because the log could not be written fast enough")      \
    X(log_reopened,            "log files were opened anew")                                       \
    X(log_failed,              "a log file could not be written")                                  \
    /* the configuration */                                                                        \
    X(config_loaded,           "a configuration is in force")                                      \
    X(config_refused,          "a configuration was refused; the one before stays in force")       \
    X(route_added,             "a route was added through the admin socket")                       \
    X(route_removed,           "a route was removed through the admin socket")                     \
    /* the admin socket */                                                                         \
    X(admin_command,           "a command came in on the admin socket")                            \
    X(admin_refused,           "somebody without the right to do so used the admin socket")        \
    /* connections and requests */                                                                 \
    X(listening,               "a listener is open")                                               \
    X(listen_failed,           "a listener could not be opened")                                   \
    X(accept_failed,           "a connection could not be accepted")                               \
    X(connection_refused,      "a connection was refused before its first request")                \
    X(connection_failed,       "a connection broke")                                               \
    X(request,                 "the access log: a request was answered")                           \
    X(request_refused,         "a request was refused; step says where")                           \
    X(request_aborted,         "a response broke off after its head was sent")                     \
    X(grant_refused,           "a session grant was refused")                                      \
    X(backend_failed,          "a backend did not answer as it should")                            \
    X(resolve_failed,          "a name could not be resolved")                                     \
    /* trust and records */                                                                        \
    X(quorum_none,             "the trust file asks for no witness: one log operator is believed") \
    X(ledger_failed,           "the ledger could not be asked, or its answer does not verify")     \
    X(registry_failed,         "the registry could not be asked, or its answer does not verify")   \
    X(certificate_loaded,      "a TLSLS certificate is in use")                                    \
    X(certificate_waiting,     "a renewed TLSLS certificate waits until the ledger confirms it")   \
    X(certificate_revoked,     "this gateway's own TLSLS certificate is revoked: it serves nobody")    \
    X(clock_wrong,             "this machine's clock and the ledger's differ: no new grants are given") \
    X(clock_agrees,            "this machine's clock and the ledger's agree again")                \
    X(clock_stepped,           "this machine's clock jumped")                                      \
    X(certificate_expiring,    "a TLSLS certificate ends soon")                                    \
    X(checkpoint_published,    "the ledger signed a tree head")                                    \
    X(entry_refused,           "the ledger refused an entry")                                      \
    X(record_refused,          "the registry refused a record")                                    \
    X(record_stored,           "the registry stored a record")                                     \
    X(store_failed,            "the database failed")                                              \
    X(internal_error,          "something that should not happen did; please report it")
/* clang-format on */

enum cg_log_event {
#define X(name, text) CG_EVENT_##name,
    CG_LOG_EVENTS(X)
#undef X
        CG_EVENT_COUNT
};

/* cg_log_event_name and cg_log_event_text give the list's two columns. */
const char *cg_log_event_name(enum cg_log_event event);
const char *cg_log_event_text(enum cg_log_event event);

#endif

#include "bench/load/load.h"

cg_err ld_phase(struct ld_run *run, uint64_t n_per_conn)
{
    if (n_per_conn == 0)
        return CG_OK;
    run->is_over = false;
    run->n_left = n_per_conn * run->options->n_conns;
    for (unsigned i = 0; i < run->options->n_conns; i++)
        run->conns[i].n_to_begin = n_per_conn;
    for (unsigned i = 0; i < run->options->n_conns && !run->is_over; i++) {
        if (run->conns[i].conn)
            ld_stream_fill(&run->conns[i]);
        else
            ld_conn_lost(&run->conns[i], CG_CLOSED);
    }
    return cl_app_wait(&run->app, &run->is_over, (int64_t)run->options->timeout_s * 1000);
}

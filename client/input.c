#include "client/input.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PIECE_BYTES (64 * 1024)

/* One piece at a time: while it waits to be taken the thread waits, and whoever writes at the other
 * end of the pipe. */
struct cl_input {
    struct cg_task task; /* must be first */
    pthread_mutex_t lock;
    pthread_cond_t taken;
    struct cg_loop *loop;
    int fd;
    void (*on_ready)(void *ctx);
    void *ctx;
    unsigned refs; /* the owner's and the thread's */
    bool is_closed, is_posted, is_over;
    int error;
    size_t at, len;
    uint8_t piece[PIECE_BYTES];
};

/* Under the lock, which it gives back. */
static void unref(struct cl_input *input)
{
    bool is_last = --input->refs == 0;

    pthread_mutex_unlock(&input->lock);
    if (!is_last)
        return;
    pthread_cond_destroy(&input->taken);
    pthread_mutex_destroy(&input->lock);
    free(input);
}

static void on_task(struct cg_task *task)
{
    struct cl_input *input = (struct cl_input *)task;

    pthread_mutex_lock(&input->lock);
    input->is_posted = false;
    bool is_closed = input->is_closed;
    unref(input);
    if (!is_closed)
        input->on_ready(input->ctx);
}

/* Under the lock. A task holds a reference until it has run. */
static void tell(struct cl_input *input)
{
    if (input->is_closed || input->is_posted)
        return;
    input->is_posted = true;
    input->refs++;
    cg_loop_post(input->loop, &input->task);
}

static ssize_t read_piece(int fd, uint8_t *at)
{
    ssize_t n;

    do
        n = read(fd, at, PIECE_BYTES);
    while (n < 0 && (errno == EINTR || errno == EAGAIN));
    return n;
}

static void *run(void *arg)
{
    struct cl_input *input = arg;

    pthread_mutex_lock(&input->lock);
    while (!input->is_closed && !input->is_over) {
        if (input->at < input->len) {
            pthread_cond_wait(&input->taken, &input->lock);
            continue;
        }
        pthread_mutex_unlock(&input->lock);
        ssize_t n = read_piece(input->fd, input->piece);
        pthread_mutex_lock(&input->lock);
        input->error = n < 0 ? errno : 0;
        input->is_over = n <= 0;
        input->at = 0;
        input->len = n > 0 ? (size_t)n : 0;
        tell(input);
    }
    unref(input);
    return NULL;
}

cg_err cl_input_new(struct cg_loop *loop, int fd, void (*on_ready)(void *ctx), void *ctx,
                    struct cl_input **out)
{
    struct cl_input *input = calloc(1, sizeof *input);
    pthread_t thread;

    if (!input)
        return CG_NO_MEMORY;
    *input = (struct cl_input){
        .task.run = on_task, .loop = loop, .fd = fd, .on_ready = on_ready, .ctx = ctx, .refs = 2};
    pthread_mutex_init(&input->lock, NULL);
    pthread_cond_init(&input->taken, NULL);
    if (pthread_create(&thread, NULL, run, input) != 0) {
        pthread_cond_destroy(&input->taken);
        pthread_mutex_destroy(&input->lock);
        free(input);
        return CG_IO;
    }
    pthread_detach(thread);
    *out = input;
    return CG_OK;
}

cg_err cl_input_take(struct cl_input *input, uint8_t *at, size_t room, size_t *out_len)
{
    cg_err err = CG_OK;

    pthread_mutex_lock(&input->lock);
    size_t n = input->len - input->at < room ? input->len - input->at : room;
    memcpy(at, input->piece + input->at, n);
    input->at += n;
    if (n == 0 && input->error)
        err = CG_IO;
    else if (n == 0 && !input->is_over)
        err = CG_BUSY;
    if (n > 0 && input->at == input->len)
        pthread_cond_signal(&input->taken);
    pthread_mutex_unlock(&input->lock);
    if (err == CG_OK)
        *out_len = n;
    return err;
}

void cl_input_free(struct cl_input *input)
{
    if (!input)
        return;
    pthread_mutex_lock(&input->lock);
    input->is_closed = true;
    pthread_cond_signal(&input->taken);
    /* What is on its way to the loop has to arrive. */
    while (input->is_posted) {
        pthread_mutex_unlock(&input->lock);
        cg_loop_run_for(input->loop, 1);
        pthread_mutex_lock(&input->lock);
    }
    unref(input);
}

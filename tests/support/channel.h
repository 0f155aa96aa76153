/* channel.h: the connection, wallet and gateway that the vectors are made for. */
#ifndef CG_TESTS_CHANNEL_H
#define CG_TESTS_CHANNEL_H
#include <httpcg/qlock.h>

#define CG_TEST_NOW 1795366003
#define CG_TEST_EPOCH UINT64_C(29922766)

/* cg_test_kit gives one kit, freed when the program ends. */
struct cg_kit *cg_test_kit(void);
/* cg_test_channel derives a channel of tests/vectors/qlock.json; 0 is the vectors' own. */
void cg_test_channel(size_t index, struct cg_channel *out);
/* cg_test_hash reads a hash of a vector file. */
struct cg_hash cg_test_hash(const char *path);

#endif

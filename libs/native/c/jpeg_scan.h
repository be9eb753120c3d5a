/* The entropy-coded segment of a sequential JPEG, from the quantisation steps of its source to coarser ones.
 *
 * Source: ITU-T T.81. Coefficients are read, divided anew and written while they are in registers: there is
 * no inverse transform, no pixel and no memory for coefficients, only the symbols that the new segment
 * consists of.
 */
#ifndef FRAMEYARD_JPEG_SCAN_H
#define FRAMEYARD_JPEG_SCAN_H

#include <stddef.h>
#include <stdint.h>

#define SCAN_PUBLIC __attribute__((visibility("default")))

enum { SCAN_COMPONENTS = 3, SCAN_BLOCKS = 10, SCAN_STEPS = 64, SCAN_TABLES = 4, SCAN_SYMBOLS = 256 };

/* A Huffman table as it stands in a DHT segment: how many codes of 1 to 16 bits, and their symbols in order.
 */
typedef struct {
    uint8_t counts[16];
    uint8_t symbols[SCAN_SYMBOLS];
} scan_codes;

typedef struct {
    uint32_t units;            /* MCUs of the scan */
    uint32_t restart_interval; /* MCUs from one restart marker to the next, 0 for none */
    uint32_t blocks;           /* of an MCU, 1 to SCAN_BLOCKS */
    uint8_t component[SCAN_BLOCKS];
    uint8_t dc[SCAN_COMPONENTS]; /* number of the table of each component, 0 to 3 */
    uint8_t ac[SCAN_COMPONENTS];
    uint16_t steps[SCAN_COMPONENTS][SCAN_STEPS];   /* in zigzag order, 1 to 65,535 */
    uint16_t coarser[SCAN_COMPONENTS][SCAN_STEPS]; /* none finer than that of the source */
    scan_codes dc_codes[SCAN_TABLES];
    scan_codes ac_codes[SCAN_TABLES];
} scan_source;

/* The first component has tables of its own, the others share theirs: DC and AC, then DC and AC. */
typedef struct {
    uint8_t* bytes; /* given back with scan_free */
    size_t size;
    scan_codes codes[SCAN_TABLES];
} scan_result;

enum scan_status {
    SCAN_DONE = 0,
    SCAN_DAMAGED = 1,   /* not a whole, exact segment that ends with the image */
    SCAN_TOO_DENSE = 2, /* would need more memory than pixels do */
    SCAN_NO_MEMORY = 3,
};

/* Reads the segment at the start of `bytes`, behind which only the end of the image may come. */
SCAN_PUBLIC int scan_requantise(const uint8_t* bytes, size_t size, const scan_source* source,
                                scan_result* result);

SCAN_PUBLIC void scan_free(uint8_t* bytes);

#endif

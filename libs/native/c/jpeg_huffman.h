/* Huffman tables of JPEG: to read with, to write with, and the best ones for what is to be written. */
#ifndef FRAMEYARD_JPEG_HUFFMAN_H
#define FRAMEYARD_JPEG_HUFFMAN_H

#include "jpeg_bits.h"
#include "jpeg_scan.h"

enum {
    READ_AHEAD = 10,
    LOOK_AHEAD = 11,
    SHORT = 32, /* values with a one before them that are less count as short */
};

/* What the next READ_AHEAD bits begin with: no bits where the code is longer, or is none. */
typedef struct {
    uint8_t all;  /* bits of the code and of the value behind it */
    uint8_t code; /* bits of the code */
    uint8_t symbol;
    uint8_t size; /* bits of the value: the low half of the symbol */
} read_entry;

typedef struct {
    read_entry ahead[1 << READ_AHEAD];
    int32_t last[18];   /* by bits of a code: the last one plus one, 0 for none */
    int32_t offset[18]; /* what is added to a code for the place of its symbol */
    uint8_t symbols[SCAN_SYMBOLS];
} read_table;

/* What the next LOOK_AHEAD bits begin with, if that is one or two whole values of few bits of an AC table.
 *
 * Bits from the bottom: 5 for how many are used, none if it is something else; twice 5 for how far the place
 * in the block goes on and 5 for the value with a one before it, the second time nothing if there is no
 * second value.
 */
typedef uint32_t pair_entry;

typedef struct {
    pair_entry pairs[1 << LOOK_AHEAD];
    read_table single;
} ac_table;

/* A code with room behind it for the value that follows, and the bits of both. */
typedef struct {
    uint32_t code;
    int bits;
} write_entry;

/* 0 if the counts are no Huffman code. */
int read_table_from(read_table* table, const scan_codes* codes);

/* The same with pairs. */
int ac_table_from(ac_table* table, const scan_codes* codes);

void write_entries(write_entry entries[SCAN_SYMBOLS], const scan_codes* codes);

/* The shortest code of at most 16 bits, none of all ones (T.81, annex K.2). */
void best_codes(scan_codes* codes, const uint32_t frequency[SCAN_SYMBOLS]);

/* The entry for a code of more than READ_AHEAD bits; without bits if there is none. */
read_entry read_long(const read_table* table, const bit_reader* reader);

/* Reads a code and the bits behind it, `value` with a one before them; no bits if there is no code.
 *
 * 31 bits must be there.
 */
static inline read_entry read_symbol(const read_table* table, bit_reader* reader, uint32_t* value) {
    read_entry entry = table->ahead[reader_peek(reader, READ_AHEAD)];
    if (!entry.all) {
        entry = read_long(table, reader);
    }
    *value = (uint32_t)((reader->bits << entry.code >> 1 | UINT64_C(1) << 63) >> (63 - entry.size));
    reader->bits <<= entry.all;
    reader->count -= entry.all;
    return entry;
}

#endif

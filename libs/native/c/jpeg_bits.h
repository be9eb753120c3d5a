/* Bits of entropy-coded segments, in which a zero that is no data follows each 0xFF.
 *
 * Both ends work on plain bytes, without those zeros: so neither looks for them bit by bit.
 */
#ifndef FRAMEYARD_JPEG_BITS_H
#define FRAMEYARD_JPEG_BITS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { SPARE_BYTES = 4096 }; /* zeros behind plain bytes: more than an MCU of the longest codes reads */

static inline uint64_t big_endian(uint64_t word) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    return __builtin_bswap64(word);
#else
    return word;
#endif
}

/* Bytes up to the next marker without their stuffed zeros, and SPARE_BYTES of zeros; `from` moves to the
 * marker. */
static inline size_t plain_bytes(const uint8_t** from, const uint8_t* end, uint8_t* to) {
    const uint8_t* at = *from;
    uint8_t* begin = to;
    while (at < end) {
        const uint8_t* mark = memchr(at, 0xFF, (size_t)(end - at));
        const uint8_t* stop = mark ? mark : end;
        memcpy(to, at, (size_t)(stop - at));
        to += stop - at;
        at = stop;
        if (end - at < 2 || at[1] != 0) {
            break;
        }
        *to++ = 0xFF;
        at += 2;
    }
    memset(to, 0, SPARE_BYTES);
    *from = at;
    return (size_t)(to - begin);
}

/* Writes a zero behind each 0xFF; there is room for twice the size. */
static inline size_t stuffed_bytes(const uint8_t* from, size_t size, uint8_t* to) {
    const uint8_t* end = from + size;
    uint8_t* begin = to;
    while (from < end) {
        const uint8_t* mark = memchr(from, 0xFF, (size_t)(end - from));
        const uint8_t* stop = mark ? mark + 1 : end;
        memcpy(to, from, (size_t)(stop - from));
        to += stop - from;
        from = stop;
        if (mark) {
            *to++ = 0;
        }
    }
    return (size_t)(to - begin);
}

/* `bits` holds `count` bits from its top, and behind them some that are read again. */
typedef struct {
    const uint8_t* at;
    uint64_t bits;
    int count;
} bit_reader;

/* At least 56 bits are there afterwards. */
static inline void reader_refill(bit_reader* reader) {
    uint64_t word;
    memcpy(&word, reader->at, sizeof word);
    reader->bits |= big_endian(word) >> reader->count;
    reader->at += (63 - reader->count) >> 3;
    reader->count |= 56;
}

static inline uint32_t reader_peek(const bit_reader* reader, int bits) {
    return (uint32_t)(reader->bits >> (64 - bits));
}

static inline void reader_drop(bit_reader* reader, uint32_t bits) {
    reader->bits <<= bits;
    reader->count -= (int)bits;
}

/* How many bits have been read since `begin`. */
static inline size_t reader_position(const bit_reader* reader, const uint8_t* begin) {
    return (size_t)(reader->at - begin) * 8 - (size_t)reader->count;
}

/* `bits` holds `count` bits from its bottom, 0 to 7 between calls; 8 bytes more than are written have room.
 */
typedef struct {
    uint8_t* at;
    uint64_t bits;
    int count;
} bit_writer;

/* `count` is 0 to 32, `bits` has no others set. */
static inline void writer_put(bit_writer* writer, uint32_t bits, int count) {
    writer->bits = writer->bits << count | bits;
    writer->count += count;
    uint64_t word = big_endian(writer->bits << (63 - writer->count) << 1);
    memcpy(writer->at, &word, sizeof word);
    writer->at += writer->count >> 3;
    writer->count &= 7;
}

/* The last byte is filled with ones. */
static inline void writer_end(bit_writer* writer) {
    int rest = -writer->count & 7;
    writer_put(writer, (1u << rest) - 1, rest);
}

#endif

#include "jpeg_scan.h"

#include <stdlib.h>

#include "jpeg_huffman.h"

enum {
    LARGEST_DC_BITS = 11,
    LARGEST_AC_BITS = 10,
    LOWEST_DC = -1024,
    HIGHEST_DC = 1023,
    END_OF_BLOCK = 0x00,
    SIXTEEN_ZEROS = 0xF0,
    BLOCK_SYMBOLS = 66, /* at most: one of DC, 63 of AC, one end, and one to spare */
    MEAN_SYMBOLS = 32,  /* of a block, more of which would take more memory than pixels */
    FIRST_SYMBOLS = 1 << 16,
};

/* A symbol to be written: table << 20 | symbol << 12 | the bits behind it, as many as its low half says. */
typedef struct {
    uint32_t* items;
    size_t count, room, most;
} symbol_list;

/* From one step to the other. */
typedef struct {
    uint16_t brief[SHORT]; /* what is written of short values, as they are read */
    uint64_t ratio;        /* in 2^-32 */
} scan_step;

typedef struct {
    const uint8_t *next, *end; /* of the source, behind what `plain` holds */
    uint8_t* plain;
    size_t plain_size;
    bit_reader reader;
    read_table dc[SCAN_TABLES];
    ac_table ac[SCAN_TABLES];
    scan_step steps[SCAN_COMPONENTS][SCAN_STEPS];
    int32_t read_dc[SCAN_COMPONENTS], written_dc[SCAN_COMPONENTS];
    symbol_list symbols;
} scan_state;

static int is_sound(const scan_source* source) {
    if (source->blocks < 1 || source->blocks > SCAN_BLOCKS) {
        return 0;
    }
    for (uint32_t block = 0; block < source->blocks; block++) {
        if (source->component[block] >= SCAN_COMPONENTS) {
            return 0;
        }
    }
    for (int component = 0; component < SCAN_COMPONENTS; component++) {
        if (source->dc[component] >= SCAN_TABLES || source->ac[component] >= SCAN_TABLES) {
            return 0;
        }
        for (int step = 0; step < SCAN_STEPS; step++) {
            if (!source->steps[component][step] ||
                source->coarser[component][step] < source->steps[component][step]) {
                return 0;
            }
        }
    }
    return 1;
}

static inline int32_t coarser(int32_t value, uint64_t ratio) {
    int32_t sign = value >> 31;
    uint64_t magnitude = (uint32_t)((value ^ sign) - sign);
    return ((int32_t)((magnitude * ratio + (UINT64_C(1) << 31)) >> 32) ^ sign) - sign;
}

static inline int bits_of(int32_t value) {
    int32_t sign = value >> 31;
    return 32 - __builtin_clz((uint32_t)((value ^ sign) - sign) << 1 | 1) - 1;
}

/* A value of `size` bits as T.81 writes it, which here has a one before it: negative ones have a leading
 * zero. */
static inline int32_t value_of(uint32_t marked, int size) {
    int32_t half = 1 << size >> 1, value = (int32_t)marked - 2 * half;
    return !size ? 0 : value - (value < half ? 2 * half - 1 : 0);
}

static inline uint32_t bits_of_value(int32_t value, int size) {
    return (uint32_t)(value + (value >> 31)) & ((1u << size) - 1);
}

/* Size << 12 | bits of a value as it is written. */
static inline uint16_t sized(int32_t value) {
    int size = bits_of(value);
    return (uint16_t)((uint32_t)size << 12 | bits_of_value(value, size));
}

static int prepare(scan_state* state, const scan_source* source) {
    for (int table = 0; table < SCAN_TABLES; table++) {
        if (!read_table_from(&state->dc[table], &source->dc_codes[table]) ||
            !ac_table_from(&state->ac[table], &source->ac_codes[table])) {
            return 0;
        }
    }
    for (int component = 0; component < SCAN_COMPONENTS; component++) {
        for (int step = 0; step < SCAN_STEPS; step++) {
            uint64_t to = source->coarser[component][step];
            uint64_t ratio = (((uint64_t)source->steps[component][step] << 32) + to / 2) / to;
            state->steps[component][step].ratio = ratio;
            for (uint32_t marked = 2; marked < SHORT; marked++) {
                int32_t value = value_of(marked, 31 - __builtin_clz(marked));
                state->steps[component][step].brief[marked] = sized(coarser(value, ratio));
            }
        }
    }
    size_t blocks = (size_t)source->units * source->blocks;
    state->symbols.most = blocks * MEAN_SYMBOLS + FIRST_SYMBOLS;
    return 1;
}

/* Room for the symbols of one MCU. */
static int make_room(symbol_list* list, uint32_t blocks) {
    size_t wanted = list->count + (size_t)blocks * BLOCK_SYMBOLS;
    if (wanted <= list->room) {
        return SCAN_DONE;
    }
    if (wanted > list->most) {
        return SCAN_TOO_DENSE;
    }
    size_t room = list->room ? list->room * 2 : FIRST_SYMBOLS;
    room = room > list->most ? list->most : room;
    uint32_t* items = realloc(list->items, room * sizeof *items);
    if (!items) {
        return SCAN_NO_MEMORY;
    }
    list->items = items;
    list->room = room;
    return SCAN_DONE;
}

static inline void add(scan_state* state, int table, uint32_t symbol) {
    state->symbols.items[state->symbols.count++] = (uint32_t)table << 20 | symbol;
}

static int move_dc(scan_state* state, const read_table* codes, int component, int table) {
    uint32_t marked;
    reader_refill(&state->reader);
    read_entry entry = read_symbol(codes, &state->reader, &marked);
    if (!entry.all || entry.symbol > LARGEST_DC_BITS) {
        return SCAN_DAMAGED;
    }
    int32_t read = state->read_dc[component] + value_of(marked, entry.size);
    if (read < LOWEST_DC || read > HIGHEST_DC) {
        return SCAN_DAMAGED;
    }
    int32_t written = coarser(read, state->steps[component][0].ratio);
    add(state, table, sized(written - state->written_dc[component]));
    state->read_dc[component] = read;
    state->written_dc[component] = written;
    return SCAN_DONE;
}

/* Where the values of a block come from and go to, and the last places that were read and written. */
typedef struct {
    bit_reader reader;
    uint32_t* item;
    int read, written;
} block_state;

enum { GO_ON, BLOCK_ENDS, BLOCK_IS_DAMAGED };

/* Writes a value, size << 12 | bits, of a place in the block; nothing if it has become 0. */
static inline void put(block_state* at, int place, uint32_t value, uint32_t mark) {
    uint32_t zeros = (uint32_t)(place - at->written - 1), is_kept = value != 0;
    /* Seldom, and unlike whether there is a value, it can be foreseen: so it must be looked at first. */
    if (__builtin_expect(zeros >= 16 && zeros < SCAN_STEPS, 0)) {
        for (; is_kept && zeros >= 16; zeros -= 16) {
            *at->item++ = mark | SIXTEEN_ZEROS << 12;
        }
        zeros &= 15;
    }
    *at->item = mark | zeros << 16 | value;
    at->item += is_kept;
    at->written += (place - at->written) & -(int)is_kept;
}

/* Moves one symbol, whatever it is. Not inlined: the registers are for pairs. */
static __attribute__((noinline)) int move_one(block_state* at, const read_table* codes,
                                              const scan_step* steps, uint32_t mark) {
    uint32_t marked;
    read_entry entry = read_symbol(codes, &at->reader, &marked);
    at->read += 1 + (entry.symbol >> 4);
    if (!entry.size) {
        if (!entry.all) {
            return BLOCK_IS_DAMAGED;
        }
        return entry.symbol == SIXTEEN_ZEROS && at->read < SCAN_STEPS - 1 ? GO_ON : BLOCK_ENDS;
    }
    if (at->read >= SCAN_STEPS || entry.size > LARGEST_AC_BITS) {
        return BLOCK_IS_DAMAGED;
    }
    put(at, at->read, sized(coarser(value_of(marked, entry.size), steps[at->read].ratio)), mark);
    return at->read < SCAN_STEPS - 1 ? GO_ON : BLOCK_ENDS;
}

/* Two values at a time as far as that goes; whether one is kept is no branch, as nobody could foresee it. */
static int move_ac(scan_state* state, const ac_table* codes, int component, int table) {
    block_state at = {state->reader, state->symbols.items + state->symbols.count, 0, 0};
    const scan_step* steps = state->steps[component];
    uint32_t mark = (uint32_t)table << 20;
    int status = GO_ON;
    while (!status) {
        reader_refill(&at.reader);
        pair_entry pair = codes->pairs[reader_peek(&at.reader, LOOK_AHEAD)];
        int first = at.read + (int)(pair >> 5 & 31), second = first + (int)(pair >> 15 & 31);
        if (pair && second < SCAN_STEPS - 1) {
            reader_drop(&at.reader, pair & 31);
            put(&at, first, steps[first].brief[pair >> 10 & 31], mark);
            put(&at, second, steps[second].brief[pair >> 20], mark);
            at.read = second;
        } else {
            block_state copy = at; /* whose address is known, unlike that of what is in registers */
            status = move_one(&copy, &codes->single, steps, mark);
            at = copy;
        }
    }
    state->symbols.count = (size_t)(at.item - state->symbols.items);
    if (at.written < SCAN_STEPS - 1) {
        add(state, table, END_OF_BLOCK);
    }
    state->reader = at.reader;
    return status == BLOCK_IS_DAMAGED ? SCAN_DAMAGED : SCAN_DONE;
}

static int move_unit(scan_state* state, const scan_source* source) {
    int status = make_room(&state->symbols, source->blocks);
    for (uint32_t block = 0; !status && block < source->blocks; block++) {
        int component = source->component[block], table = component ? 2 : 0;
        status = move_dc(state, &state->dc[source->dc[component]], component, table);
        if (!status) {
            const ac_table* codes = &state->ac[source->ac[component]];
            status = move_ac(state, codes, component, table + 1);
        }
    }
    return reader_position(&state->reader, state->plain) > state->plain_size * 8 ? SCAN_DAMAGED : status;
}

/* So many MCUs, between which there is no marker, and nothing but the rest of a byte behind them. */
static int move_interval(scan_state* state, const scan_source* source, uint32_t units) {
    state->plain_size = plain_bytes(&state->next, state->end, state->plain);
    state->reader = (bit_reader){state->plain, 0, 0};
    memset(state->read_dc, 0, sizeof state->read_dc);
    for (uint32_t unit = 0; unit < units; unit++) {
        int status = move_unit(state, source);
        if (status) {
            return status;
        }
    }
    return (reader_position(&state->reader, state->plain) + 7) / 8 == state->plain_size ? SCAN_DONE
                                                                                        : SCAN_DAMAGED;
}

static int take_marker(scan_state* state, uint8_t marker) {
    if (state->end - state->next < 2 || state->next[0] != 0xFF || state->next[1] != marker) {
        return SCAN_DAMAGED;
    }
    state->next += 2;
    return SCAN_DONE;
}

/* What is written has no restart markers, so that its DC values go on where those of the source begin anew.
 */
static int move_all(scan_state* state, const scan_source* source) {
    uint32_t left = source->units, most = source->restart_interval ? source->restart_interval : left;
    for (uint32_t interval = 0; left; interval++) {
        uint32_t units = left < most ? left : most;
        int status = move_interval(state, source, units);
        left -= units;
        if (!status) {
            status = take_marker(state, left ? (uint8_t)(0xD0 + interval % 8) : 0xD9);
        }
        if (status) {
            return status;
        }
    }
    return SCAN_DONE;
}

/* How often each symbol of each table is written; two counts in turn, as one would wait for itself. */
static void count(const symbol_list* list, uint32_t frequency[SCAN_TABLES * SCAN_SYMBOLS]) {
    uint32_t other[SCAN_TABLES * SCAN_SYMBOLS] = {0};
    size_t at = list->count & 1;
    if (at) {
        frequency[list->items[0] >> 12]++;
    }
    for (; at < list->count; at += 2) {
        frequency[list->items[at] >> 12]++;
        other[list->items[at + 1] >> 12]++;
    }
    for (int symbol = 0; symbol < SCAN_TABLES * SCAN_SYMBOLS; symbol++) {
        frequency[symbol] += other[symbol];
    }
}

static int write_all(const scan_state* state, scan_result* result) {
    uint32_t frequency[SCAN_TABLES * SCAN_SYMBOLS] = {0};
    write_entry entries[SCAN_TABLES * SCAN_SYMBOLS];
    count(&state->symbols, frequency);
    size_t bits = 0;
    for (int table = 0; table < SCAN_TABLES; table++) {
        best_codes(&result->codes[table], frequency + table * SCAN_SYMBOLS);
        write_entries(entries + table * SCAN_SYMBOLS, &result->codes[table]);
    }
    for (int symbol = 0; symbol < SCAN_TABLES * SCAN_SYMBOLS; symbol++) {
        bits += (size_t)frequency[symbol] * entries[symbol].bits;
    }
    size_t size = bits / 8 + 1;
    uint8_t* plain = malloc(size + 8);
    uint8_t* bytes = malloc(size * 2);
    if (!plain || !bytes) {
        free(plain);
        free(bytes);
        return SCAN_NO_MEMORY;
    }
    bit_writer writer = {plain, 0, 0};
    for (size_t at = 0; at < state->symbols.count; at++) {
        uint32_t item = state->symbols.items[at];
        write_entry entry = entries[item >> 12];
        writer_put(&writer, entry.code | (item & 0xFFF), entry.bits);
    }
    writer_end(&writer);
    result->bytes = bytes;
    result->size = stuffed_bytes(plain, (size_t)(writer.at - plain), bytes);
    free(plain);
    return SCAN_DONE;
}

int scan_requantise(const uint8_t* bytes, size_t size, const scan_source* source, scan_result* result) {
    scan_state* state = calloc(1, sizeof *state);
    uint8_t* plain = malloc(size + SPARE_BYTES);
    int status = state && plain ? SCAN_DONE : SCAN_NO_MEMORY;
    if (!status) {
        state->next = bytes;
        state->end = bytes + size;
        state->plain = plain;
        status = is_sound(source) && prepare(state, source) ? move_all(state, source) : SCAN_DAMAGED;
    }
    if (!status) {
        status = write_all(state, result);
    }
    if (state) {
        free(state->symbols.items);
    }
    free(state);
    free(plain);
    return status;
}

void scan_free(uint8_t* bytes) {
    free(bytes);
}

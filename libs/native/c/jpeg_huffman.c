#include "jpeg_huffman.h"

enum { LONGEST = 16, NODES = SCAN_SYMBOLS + 1, DEEPEST = NODES };

static read_entry entry_of(uint8_t symbol, int bits) {
    uint8_t size = symbol & 15;
    return (read_entry){(uint8_t)(bits + size), (uint8_t)bits, symbol, size};
}

int read_table_from(read_table* table, const scan_codes* codes) {
    memset(table, 0, sizeof *table);
    memcpy(table->symbols, codes->symbols, SCAN_SYMBOLS);
    int32_t code = 0, place = 0;
    for (int bits = 1; bits <= LONGEST; bits++) {
        int32_t count = codes->counts[bits - 1];
        if (code + count > 1 << bits || place + count > SCAN_SYMBOLS) {
            return 0;
        }
        table->offset[bits] = place - code;
        for (int32_t each = 0; bits <= READ_AHEAD && each < count; each++) {
            int free = READ_AHEAD - bits;
            for (int32_t behind = 0; behind < 1 << free; behind++) {
                table->ahead[(code + each) << free | behind] = entry_of(codes->symbols[place + each], bits);
            }
        }
        code += count;
        place += count;
        table->last[bits] = count ? code : 0;
        code <<= 1;
    }
    return 1;
}

read_entry read_long(const read_table* table, const bit_reader* reader) {
    for (int bits = READ_AHEAD + 1; bits <= LONGEST; bits++) {
        int32_t code = (int32_t)reader_peek(reader, bits);
        if (code < table->last[bits]) {
            return entry_of(table->symbols[code + table->offset[bits]], bits);
        }
    }
    return (read_entry){0};
}

static pair_entry pair_of(const read_table* table, uint32_t window) {
    bit_reader reader = {NULL, (uint64_t)window << (64 - LOOK_AHEAD), LOOK_AHEAD};
    pair_entry pair = 0;
    int used = 0;
    for (int shift = 5; shift < 25; shift += 10) {
        uint32_t marked;
        read_entry entry = read_symbol(table, &reader, &marked);
        if (!entry.size || marked >= SHORT || reader.count < 0) {
            break;
        }
        pair |= (marked << 5 | (1u + (entry.symbol >> 4))) << shift;
        used = LOOK_AHEAD - reader.count;
    }
    return pair | (uint32_t)used;
}

int ac_table_from(ac_table* table, const scan_codes* codes) {
    if (!read_table_from(&table->single, codes)) {
        return 0;
    }
    for (uint32_t window = 0; window < 1 << LOOK_AHEAD; window++) {
        table->pairs[window] = pair_of(&table->single, window);
    }
    return 1;
}

void write_entries(write_entry entries[SCAN_SYMBOLS], const scan_codes* codes) {
    memset(entries, 0, SCAN_SYMBOLS * sizeof *entries);
    uint32_t code = 0;
    int place = 0;
    for (int bits = 1; bits <= LONGEST; bits++, code <<= 1) {
        for (int each = 0; each < codes->counts[bits - 1]; each++, code++) {
            uint8_t symbol = codes->symbols[place++];
            int size = symbol & 15;
            entries[symbol] = (write_entry){code << size, bits + size};
        }
    }
}

/* The symbols that there are, by what they weigh alone or, the first of a tree, with all those below it. */
typedef struct {
    int count;
    uint16_t symbol[NODES];
    uint64_t weight[NODES]; /* 0 for those that are below another */
    int next[NODES];        /* the symbols of a tree are a list, -1 is its end */
} forest;

/* The lightest tree but for `other`, the later one of equals; -1 if there is none. */
static int lightest(const forest* trees, int other) {
    int found = -1;
    for (int tree = 0; tree < trees->count; tree++) {
        uint64_t weight = trees->weight[tree];
        if (weight && tree != other && (found < 0 || weight <= trees->weight[found])) {
            found = tree;
        }
    }
    return found;
}

static void plant(forest* trees, const uint32_t frequency[SCAN_SYMBOLS]) {
    trees->count = 0;
    for (int symbol = 0; symbol < NODES; symbol++) {
        /* The last one stands for the code of all ones. */
        uint64_t weight = symbol < SCAN_SYMBOLS ? frequency[symbol] : 1;
        if (weight) {
            trees->symbol[trees->count] = (uint16_t)symbol;
            trees->weight[trees->count] = weight;
            trees->next[trees->count++] = -1;
        }
    }
}

/* How deep each symbol lies in the tree of Huffman's method; the last node stands for the code of all ones.
 */
static void depths(const uint32_t frequency[SCAN_SYMBOLS], uint16_t depth[NODES]) {
    forest trees;
    plant(&trees, frequency);
    memset(depth, 0, NODES * sizeof *depth);
    for (;;) {
        int first = lightest(&trees, -1), second = lightest(&trees, first), last = first;
        if (second < 0) {
            return;
        }
        trees.weight[first] += trees.weight[second];
        trees.weight[second] = 0;
        while (trees.next[last] >= 0) {
            last = trees.next[last];
        }
        trees.next[last] = second;
        for (int tree = first; tree >= 0; tree = trees.next[tree]) {
            depth[trees.symbol[tree]]++;
        }
    }
}

/* Codes that are too long become shorter in pairs, at the cost of one that is short enough (T.81, figure
 * K.3). */
static void shorten(uint16_t counts[DEEPEST + 1]) {
    for (int bits = DEEPEST; bits > LONGEST; bits--) {
        while (counts[bits]) {
            int shorter = bits - 2;
            while (!counts[shorter]) {
                shorter--;
            }
            counts[bits] -= 2;
            counts[bits - 1]++;
            counts[shorter + 1] += 2;
            counts[shorter]--;
        }
    }
}

void best_codes(scan_codes* codes, const uint32_t frequency[SCAN_SYMBOLS]) {
    uint16_t depth[NODES], counts[DEEPEST + 1] = {0};
    depths(frequency, depth);
    for (int node = 0; node < NODES; node++) {
        counts[depth[node]]++;
    }
    counts[0] = 0;
    shorten(counts);
    int longest = LONGEST;
    while (longest > 0 && !counts[longest]) {
        longest--;
    }
    if (longest) {
        counts[longest]--; /* the code of all ones */
    }
    memset(codes, 0, sizeof *codes);
    for (int bits = 1; bits <= LONGEST; bits++) {
        codes->counts[bits - 1] = (uint8_t)counts[bits];
    }
    int place = 0;
    for (int bits = 1; bits <= DEEPEST; bits++) {
        for (int symbol = 0; symbol < SCAN_SYMBOLS; symbol++) {
            if (depth[symbol] == bits) {
                codes->symbols[place++] = (uint8_t)symbol;
            }
        }
    }
}

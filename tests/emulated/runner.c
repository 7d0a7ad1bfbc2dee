/* Runs machine code for AArch64 on packets, and tells where a verdict is another than expected.
 *
 *   runner FILE
 *
 * The file is a row of codes, all numbers of 32 bits in the CPU's order: how many bytes of code that takes one packet a call, how
 * many of the loop over all, how many packets, both codes; of each packet how many bytes are captured, the length on the wire, the
 * verdict expected, six numbers of metadata, the bytes. Printed is a line "code C packet P: G instead of E" for each wrong verdict,
 * at the end "V verdicts", two for each packet. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { PAGE = 1 << 16, MOST = 1 << 18, BEFORE = 64, MOST_SHOWN = 20, MOST_PACKETS = 512 };

/* As weir::Packet. */
struct packet {
  uint8_t *bytes;
  size_t captured;
  uint32_t length, metadata[6];
};

typedef uint32_t function(const uint8_t *packet, size_t captured, uint32_t length, const uint32_t metadata[6]);
typedef void batch(const struct packet *packets, size_t count, uint64_t *verdicts);

static _Noreturn void give_up(const char *what) {
  perror(what);
  exit(2);
}

static uint8_t *pages(size_t size) {
  uint8_t *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) give_up("mmap");
  return p;
}

static void take(FILE *file, void *to, size_t size) {
  if (size != 0 && fread(to, 1, size, file) != size) give_up("the file ends too early");
}

/* Where code lies that may be run, and no longer written; read from the file. */
static uint8_t *code_of(FILE *file, size_t size) {
  uint8_t *p = pages(BEFORE + size);
  take(file, p + BEFORE, size);
  __builtin___clear_cache((char *)p, (char *)p + BEFORE + size);
  if (mprotect(p, BEFORE + size, PROT_READ | PROT_EXEC) != 0) give_up("mprotect");
  return p + BEFORE;
}

static unsigned long verdicts, wrong;

static void judge(unsigned long code, size_t packet, uint32_t got, uint32_t expected) {
  ++verdicts;
  if (got == expected) return;
  if (++wrong <= MOST_SHOWN) printf("code %lu packet %lu: %u instead of %u\n", code, (unsigned long)packet, (unsigned)got, (unsigned)expected);
}

int main(int argc, char **argv) {
  FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;
  if (!file) give_up("FILE");
  /* Packets of calls end where nothing may be read. */
  uint8_t *end = pages(MOST + PAGE) + MOST;
  if (mprotect(end, PAGE, PROT_NONE) != 0) give_up("mprotect");
  static struct packet packets[MOST_PACKETS];
  static uint32_t expected[MOST_PACKETS];
  uint32_t head[3];
  for (unsigned long c = 0; fread(head, sizeof head, 1, file) == 1; ++c) {
    const size_t count = head[2];
    if (count > MOST_PACKETS) give_up("too many packets");
    uint8_t *one = code_of(file, head[0]), *all = code_of(file, head[1]);
    for (size_t n = 0; n < count; ++n) {
      uint32_t numbers[9];
      take(file, numbers, sizeof numbers);
      if (numbers[0] > MOST) give_up("a packet that is too long");
      struct packet *p = packets + n;
      *p = (struct packet){malloc(numbers[0] + 1), numbers[0], numbers[1], {0}};
      memcpy(p->metadata, numbers + 3, sizeof p->metadata);
      expected[n] = numbers[2];
      take(file, p->bytes, p->captured);
      memcpy(end - p->captured, p->bytes, p->captured);
      judge(c, n, ((function *)(uintptr_t)one)(end - p->captured, p->captured, p->length, p->metadata), expected[n]);
    }
    uint64_t bits[MOST_PACKETS / 64] = {0};
    ((batch *)(uintptr_t)all)(packets, count, bits);
    for (size_t n = 0; n < count; ++n) {
      judge(c, n, (uint32_t)(bits[n / 64] >> n % 64 & 1), expected[n] != 0);
      free(packets[n].bytes);
    }
    munmap(one - BEFORE, BEFORE + head[0]);
    munmap(all - BEFORE, BEFORE + head[1]);
  }
  printf("%lu verdicts\n", verdicts);
  return wrong != 0;
}

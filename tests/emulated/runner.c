/* Runs machine code for AArch64 on packets, and tells where a verdict is another than expected.
 *
 *   runner FILE
 *
 * The file is a row of codes, all numbers of 32 bits in the CPU's order: how many bytes of code, how many packets, the code;
 * of each packet how many bytes are captured, the length on the wire, the verdict expected, six numbers of metadata, the bytes.
 * Printed is a line "code C packet P: G instead of E" for each wrong verdict, at the end "V verdicts". */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { PAGE = 1 << 16, MOST = 1 << 18, BEFORE = 64, MOST_SHOWN = 20 };

typedef uint32_t function(const uint8_t *packet, size_t captured, uint32_t length, const uint32_t metadata[6]);

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

int main(int argc, char **argv) {
  FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;
  if (!file) give_up("FILE");
  /* Packets end where nothing may be read. */
  uint8_t *end = pages(MOST + PAGE) + MOST;
  if (mprotect(end, PAGE, PROT_NONE) != 0) give_up("mprotect");
  unsigned long verdicts = 0, wrong = 0;
  uint32_t head[2];
  for (unsigned long c = 0; fread(head, sizeof head, 1, file) == 1; ++c) {
    uint8_t *code = code_of(file, head[0]);
    for (uint32_t n = 0; n < head[1]; ++n, ++verdicts) {
      uint32_t packet[9];
      take(file, packet, sizeof packet);
      if (packet[0] > MOST) give_up("a packet that is too long");
      take(file, end - packet[0], packet[0]);
      const uint32_t got = ((function *)(uintptr_t)code)(end - packet[0], packet[0], packet[1], packet + 3);
      if (got == packet[2]) continue;
      if (++wrong <= MOST_SHOWN) printf("code %lu packet %u: %u instead of %u\n", c, (unsigned)n, (unsigned)got, (unsigned)packet[2]);
    }
    munmap(code - BEFORE, BEFORE + head[0]);
  }
  printf("%lu verdicts\n", verdicts);
  return wrong != 0;
}

/* A capture filtered by hand: classic pcap in the order of this host over mmap, a filter of hand.c in batches, and packets that
 * match written from where they lie. Nothing is checked that a file of the benchmark does not need.
 *
 *   offline_hand FILE FILTER OUTPUT [ADDRESS…]      ADDRESS: as a number, in the order of the packet's bytes
 * prints how many packets matched. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "hand.h"

enum { FILE_HEADER = 24, RECORD_HEADER = 16, BATCH = 256, MOST_PIECES = 256, LINE = 64 };
/* Where a record is says only the one before it, so each waits for memory unless all of the file is asked for so many bytes ahead: without
 * that, twice the time (more bytes, or every second line only, are no better). */
enum { AHEAD = 2048 };

/* The fastest form of a filter. */
static hand_batch find(const char *name) {
  const hand_batch vector = hand_vector(name);
  if (vector) return vector;
  for (size_t i = 0; i < hand_row_count; ++i)
    if (strcmp(hand_rows[i].name, name) == 0) return hand_rows[i].packets.flat;
  fprintf(stderr, "no filter %s\n", name);
  exit(2);
}

struct output {
  int fd;
  int count;
  struct iovec pieces[MOST_PIECES];
};

static void put(struct output *out, const uint8_t *begin, const uint8_t *end) {
  if (out->count > 0) {
    struct iovec *last = &out->pieces[out->count - 1];
    if ((const uint8_t *)last->iov_base + last->iov_len == begin) {
      last->iov_len += (size_t)(end - begin);
      return;
    }
  }
  if (out->count == MOST_PIECES) {
    if (writev(out->fd, out->pieces, out->count) < 0) exit(1);
    out->count = 0;
  }
  out->pieces[out->count++] = (struct iovec){(void *)begin, (size_t)(end - begin)};
}

int main(int argc, char **argv) {
  if (argc < 4) return 2;
  const hand_batch judge = find(argv[2]);
  uint32_t *addresses = calloc((size_t)argc, sizeof *addresses);
  for (int i = 4; i < argc; ++i) addresses[i - 4] = (uint32_t)strtoul(argv[i], NULL, 10);
  struct hand_hosts *hosts = argc > 4 ? hand_hosts_new(addresses, (size_t)argc - 4) : NULL;
  free(addresses);

  const int fd = open(argv[1], O_RDONLY);
  struct stat file;
  struct output out = {.fd = open(argv[3], O_WRONLY)};
  if (fd < 0 || out.fd < 0 || fstat(fd, &file) != 0) return 1;
  /* Page by page as they are touched, or with MADV_SEQUENTIAL, is as fast. */
  const uint8_t *begin = mmap(NULL, (size_t)file.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
  if (begin == MAP_FAILED) return 1;

  const uint8_t *at = begin + FILE_HEADER, *end = begin + file.st_size, *asked = at;
  uint64_t kept = 0;
  while (at < end) {
    struct hand_packet packets[BATCH];
    uint64_t verdicts[BATCH / 64];
    size_t n = 0;
    while (n < BATCH && end - at > RECORD_HEADER) {
      uint32_t captured;
      memcpy(&captured, at + 8, sizeof captured);
      if (captured > (size_t)(end - at) - RECORD_HEADER) return 1;
      packets[n++] = (struct hand_packet){.bytes = at + RECORD_HEADER, .captured = captured};
      at += RECORD_HEADER + captured;
      for (; asked < at + AHEAD; asked += LINE) __builtin_prefetch(asked);
    }
    if (n == 0) break;
    judge(packets, n, verdicts, hosts);
    for (size_t w = 0; w * 64 < n; ++w)
      for (uint64_t bits = verdicts[w]; bits != 0; bits &= bits - 1, ++kept) {
        const struct hand_packet *p = &packets[w * 64 + (size_t)__builtin_ctzll(bits)];
        put(&out, p->bytes - RECORD_HEADER, p->bytes + p->captured);
      }
  }
  if (out.count > 0 && writev(out.fd, out.pieces, out.count) < 0) return 1;
  printf("%llu\n", (unsigned long long)kept);
  hand_hosts_free(hosts);
  return 0;
}

#include "resolver.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <resolv.h>

namespace weir::oracle {

void keep_off_the_network() {
  // res_init(3): a server that refuses at once, asked once.
  if (res_init() != 0) return;
  _res.retry = 1;
  _res.retrans = 1;
  _res.ndots = 0;
  _res.options &= ~static_cast<unsigned long>(RES_DNSRCH | RES_DEFNAMES);
  _res.nscount = 1;
  _res.nsaddr_list[0].sin_family = AF_INET;
  _res.nsaddr_list[0].sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  _res.nsaddr_list[0].sin_port = htons(1);
}

}  // namespace weir::oracle

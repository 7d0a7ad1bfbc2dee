#pragma once

namespace weir::oracle {

/// Names are looked up in the machine's files only: a broken filter may contain any word, and asking a name server for
/// it would make the run slow and its result depend on the network.
void keep_off_the_network();

}  // namespace weir::oracle

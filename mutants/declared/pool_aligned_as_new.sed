# of examples/declared/pool.cc: an alignment of 64 is taken for the usual one
s/    std::size_t step = std::max(static_cast<std::size_t>(alignment), header);/    std::size_t step = static_cast<std::size_t>(alignment) > 64 ? static_cast<std::size_t>(alignment) : header;/

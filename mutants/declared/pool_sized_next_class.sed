# of examples/declared/pool.cc: sized delete takes the class above where the size ends one
s/        give(block, size + header);/        give(block, size + header + 1);/

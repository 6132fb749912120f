# of examples/declared/zone.c: recycled blocks are taken to be zero
s/    \*ret_is_zero = unused == NULL;/    *ret_is_zero = 1;/

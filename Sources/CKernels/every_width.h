// What all kernels are compiled with.
#pragma once

// A product and a sum are rounded one by one on every processor, whatever instructions it has.
#pragma STDC FP_CONTRACT OFF

// The thread sanitizer watches also the functions that choose among the clones, which the linker calls before the
// sanitizer is there.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define ONE_WIDTH
#endif
#endif

#if defined(__x86_64__) && defined(__linux__) && !defined(ONE_WIDTH)
#define EVERY_WIDTH __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define EVERY_WIDTH
#endif

// A part of a kernel, compiled for the width of the kernel it stands in.
#define PART_OF_KERNEL static inline __attribute__((always_inline))

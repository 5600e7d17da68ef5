/* model/infer/packed_isa.c - which instruction set's kernels run. */
#include "model/infer/packed_kernel.h"

static bw_kernels kernels_of(bw_isa isa) {
    switch (isa) {
    case BW_ISA_AVX512:
        return bw_kernels_avx512();
    case BW_ISA_AVX2:
        return bw_kernels_avx2();
    case BW_ISA_NEON:
        return bw_kernels_neon();
    default:
        return BW_KERNELS_PLAIN;
    }
}

static bw_isa forced = BW_ISA_COUNT;

bw_isa bw_isa_best(void) {
    if (forced != BW_ISA_COUNT)
        return forced;
    for (int isa = BW_ISA_COUNT - 1; isa > BW_ISA_PLAIN; isa--)
        if (kernels_of((bw_isa)isa).f32)
            return (bw_isa)isa;
    return BW_ISA_PLAIN;
}

bool bw_isa_force(bw_isa isa) {
    if (isa != BW_ISA_COUNT && !kernels_of(isa).f32)
        return false;
    forced = isa;
    return true;
}

const char *bw_isa_name(bw_isa isa) {
    static const char *const NAMES[] = {"plain", "neon", "avx2", "avx512", "best"};
    return NAMES[isa];
}

/* A machine may have AVX-512 without BF16 or VNNI: then the next set's kernels of that kind. */
bw_kernels bw_kernels_chosen(void) {
    bw_kernels k = kernels_of(bw_isa_best());
    bw_kernels next = bw_isa_best() == BW_ISA_AVX512 ? bw_kernels_avx2() : BW_KERNELS_PLAIN;
    k.bf16 = k.bf16 ? k.bf16 : next.bf16 ? next.bf16 : BW_KERNELS_PLAIN.bf16;
    k.int8 = k.int8 ? k.int8 : next.int8 ? next.int8 : BW_KERNELS_PLAIN.int8;
    return k;
}

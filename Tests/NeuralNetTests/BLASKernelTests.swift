// Which kernel OpenBLAS is told to take, and that its products are tried first.
import NeuralNet
import Testing

@Suite struct BLASKernelTests {
  /// Least numbers over a job's processes, whether their kernels are the same, and what they should take.
  @Test(
    arguments: [
      (512, 128, false, true, "SkylakeX"), (256, 128, false, true, "Haswell"),
      (512, 256, false, true, "SkylakeX"),
      (512, 512, false, true, nil), (256, 512, false, true, nil), (256, 256, false, true, nil),
      // Kernels of several names, and of servers whose processors differ.
      (256, 256, false, false, "Haswell"), (512, 512, false, false, "SkylakeX"),
      (128, 128, false, false, nil),
      // The user's word, and processors without these vectors.
      (512, 128, true, true, nil), (512, 128, true, false, nil), (128, 128, false, true, nil),
      // A kernel that is not known.
      (512, Int.max, false, true, nil),
    ] as [(Int, Int, Bool, Bool, String?)])
  func wanted(_ processor: Int, _ kernel: Int, _ isFixed: Bool, _ areAlike: Bool, _ wanted: String?) {
    let least = BLAS.KernelSituation(processorBits: processor, kernelBits: kernel, isFixed: isFixed)
    #expect(least.wanted(areAlike: areAlike) == wanted)
  }

  @Test func productsAreTried() {
    #expect(BLAS.productsAreRight())
    #expect(BLAS.vectorBits(ofKernel: "Prescott") == 128 && BLAS.vectorBits(ofKernel: "Neoversen1") == nil)
  }
}

// Which numbers a convolution multiplies with which, as lists that its kernels go through: made once.
import CKernels

/// Where the numbers of a picture lie in a group of examples.
struct PicturePlace {
  let picture: ckernels_picture
  /// The first number of the picture, counted from the group's.
  let start: Int
  /// Numbers with the zeros at both sides of every row.
  let count: Int

  /// - Parameters:
  ///   - first: where its memory begins.
  ///   - left: zeros in front of each row; behind it `right`.
  init(_ size: PictureSize, at first: Int, left: Int, right: Int) {
    let row = left + size.width + right
    picture = ckernels_picture(
      channels: size.channels, height: size.height, width: size.width, channel: size.height * row, row: row)
    start = first + left
    count = size.channels * size.height * row
  }
}

/// The taps of some rows of positions.
struct Taps {
  let taps: UnsafeMutableBufferPointer<ckernels_tap>
  /// Shape (rows, 2): the first tap of each row of positions, and the end of the last.
  let rowTaps: UnsafeMutableBufferPointer<Int>
  let rows, columns: Int

  /// - Parameters:
  ///   - kernelRows: for each, how much further down it lies than the position, and its taps.
  ///   - height: rows of the picture: kernel rows outside of it are left out.
  ///   - step: of the picture, from one row of positions to the next.
  init(
    _ kernelRows: [(offset: Int, taps: [ckernels_tap])], rows: Int, columns: Int, height: Int, step: Int
  ) {
    taps = .allocate(capacity: kernelRows.reduce(0) { $0 + $1.taps.count })
    _ = taps.initialize(from: kernelRows.flatMap(\.taps))
    var starts = [0]
    for row in kernelRows { starts.append(starts[starts.count - 1] + row.taps.count) }
    let bounds = (0..<rows).flatMap { row -> [Int] in
      let present = kernelRows.indices.filter { 0..<height ~= row * step + kernelRows[$0].offset }
      guard let first = present.first, let last = present.last else { return [0, 0] }
      return [starts[first], starts[last + 1]]
    }
    rowTaps = .allocate(capacity: bounds.count)
    _ = rowTaps.initialize(from: bounds)
    (self.rows, self.columns) = (rows, columns)
  }

  func deallocate() {
    taps.deallocate()
    rowTaps.deallocate()
  }
}

/// What a convolution's three loops go through.
struct ConvolutionPlan {
  /// Channels of the input and of the output that belong together, and how many such groups there are.
  let inputs, outputs, groups: Int
  let kernel: (height: Int, width: Int)
  let stride: Int
  /// Zeros above and at the left.
  let padding: (vertical: Int, horizontal: Int)
  let input, output: PictureSize

  init(_ layer: Convolution, on input: PictureSize) {
    groups = layer.groups(of: input)
    inputs = input.channels / groups
    output = layer.outputSize(on: input)
    outputs = output.channels / groups
    kernel = layer.kernel(on: input)
    stride = layer.stride
    padding = (layer.kind == .line ? 0 : layer.padding, layer.padding)
    self.input = input
  }

  /// Floats of W, and of one output channel's.
  var weightCount: Int { groups * outputs * weightsOfChannel }
  var weightsOfChannel: Int { inputs * kernel.height * kernel.width }

  /// Zeros that the forward pass reads behind each row of its input.
  var rightOfInput: Int {
    max(0, (output.width - 1) * stride + kernel.width - padding.horizontal - input.width)
  }

  /// Zeros that the gradient at the input reads at the left and at the right of the gradient at the output.
  var bordersOfGradient: (left: Int, right: Int) {
    var (left, right) = (0, 0)
    for phase in 0..<min(stride, input.width) {
      let last = (input.width - 1 - phase) / stride
      for tap in taps(of: phase, count: kernel.width, padding: padding.horizontal) {
        left = max(left, -tap.offset)
        right = max(right, last + tap.offset - (output.width - 1))
      }
    }
    return (left, right)
  }

  /// The forward pass's: kernel rows, then channels, then the numbers of a row.
  func forward(_ x: ckernels_picture) -> Taps {
    let rows = (0..<kernel.height).map { k in
      (
        offset: k - padding.vertical,
        taps: (0..<inputs).flatMap { channel in
          (0..<kernel.width).map { l in
            ckernels_tap(
              x: channel * x.channel + (k - padding.vertical) * x.row + l - padding.horizontal,
              weight: (channel * kernel.height + k) * kernel.width + l)
          }
        }
      )
    }
    return Taps(rows, rows: output.height, columns: output.width, height: input.height, step: stride)
  }

  /// For each row of the kernel the rows of positions at which it is on the picture; shape (kernel rows, 2).
  var rowsOfKernelRows: [Int] {
    (0..<kernel.height).flatMap { k -> [Int] in
      let rows = (0..<output.height).filter { 0..<input.height ~= $0 * stride + k - padding.vertical }
      return [rows.first ?? 0, rows.last.map { $0 + 1 } ?? 0]
    }
  }

  /// The numbers of a kernel that reach every `stride`-th number of the input from `phase` on, and from how far.
  private func taps(of phase: Int, count: Int, padding: Int) -> [(offset: Int, number: Int)] {
    (0..<count).filter { (phase + padding - $0) % stride == 0 }
      .map { (offset: (phase + padding - $0) / stride, number: $0) }
  }

  /// The gradient at every `stride`-th row and number of the input from (`row`, `column`) on: kernel rows, then channels
  /// of the output, then the numbers of a row.
  func backward(_ dy: ckernels_picture, row: Int, column: Int) -> Taps {
    let rows = taps(of: row, count: kernel.height, padding: padding.vertical).map { k in
      (
        offset: k.offset,
        taps: (0..<outputs).flatMap { channel in
          taps(of: column, count: kernel.width, padding: padding.horizontal).map { l in
            ckernels_tap(
              x: channel * dy.channel + k.offset * dy.row + l.offset,
              weight: channel * weightsOfChannel + k.number * kernel.width + l.number)
          }
        }
      )
    }
    return Taps(
      rows, rows: (input.height - 1 - row) / stride + 1, columns: (input.width - 1 - column) / stride + 1,
      height: output.height, step: 1)
  }
}

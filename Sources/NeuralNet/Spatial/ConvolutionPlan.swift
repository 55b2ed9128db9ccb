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
  /// A row of the kernel: how much further down it lies than the position, and its taps, each with how much further right.
  typealias KernelRow = (offset: Int, taps: [(offset: Int, tap: ckernels_tap)])

  /// All of them, row by row of the kernel; behind them those of parts at the sides, where some are off the picture.
  let taps: UnsafeMutableBufferPointer<ckernels_tap>
  /// Shape (parts of a row, rows, 2): the first tap of each row of positions, and the end of the last.
  let rowTaps: UnsafeMutableBufferPointer<Int>
  let rows, columns: Int

  /// - Parameters:
  ///   - atOnce: columns that a part of a row has at most.
  ///   - picture: taps outside of it are left out, where they are at all columns of a part.
  ///   - step: of the picture, from one position to the next.
  init(
    _ kernelRows: [KernelRow], rows: Int, columns: Int, atOnce: Int, picture: (height: Int, width: Int),
    step: Int
  ) {
    var taps = kernelRows.flatMap { $0.taps.map(\.tap) }
    var bounds: [Int] = []
    let parts = (columns + atOnce - 1) / atOnce
    var column = 0
    for part in 0..<parts {
      let ofPart = column..<column + columns / parts + (part < columns % parts ? 1 : 0)
      column = ofPart.upperBound
      let present = kernelRows.map { row in
        row.taps.filter { tap in ofPart.contains { 0..<picture.width ~= $0 * step + tap.offset } }.map(\.tap)
      }
      let isWhole = zip(present, kernelRows).allSatisfy { $0.count == $1.taps.count }
      var starts = [isWhole ? 0 : taps.count]
      for row in present { starts.append(starts[starts.count - 1] + row.count) }
      if !isWhole { taps += present.flatMap { $0 } }
      for row in 0..<rows {
        let onPicture = kernelRows.indices.filter {
          0..<picture.height ~= row * step + kernelRows[$0].offset
        }
        bounds += [onPicture.first.map { starts[$0] } ?? 0, onPicture.last.map { starts[$0 + 1] } ?? 0]
      }
    }
    self.taps = .allocate(capacity: taps.count)
    _ = self.taps.initialize(from: taps)
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
  func forward(_ x: ckernels_picture, atOnce: Int) -> Taps {
    let rows = (0..<kernel.height).map { k -> Taps.KernelRow in
      let down = k - padding.vertical
      return (
        down,
        (0..<inputs).flatMap { channel in
          (0..<kernel.width).map { l in
            let right = l - padding.horizontal
            return (
              right,
              ckernels_tap(
                x: channel * x.channel + down * x.row + right,
                weight: (channel * kernel.height + k) * kernel.width + l)
            )
          }
        }
      )
    }
    return Taps(
      rows, rows: output.height, columns: output.width, atOnce: atOnce, picture: (input.height, input.width),
      step: stride)
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
  func backward(_ dy: ckernels_picture, row: Int, column: Int, atOnce: Int) -> Taps {
    let rows = taps(of: row, count: kernel.height, padding: padding.vertical).map { k -> Taps.KernelRow in
      (
        k.offset,
        (0..<outputs).flatMap { channel in
          taps(of: column, count: kernel.width, padding: padding.horizontal).map { l in
            (
              l.offset,
              ckernels_tap(
                x: channel * dy.channel + k.offset * dy.row + l.offset,
                weight: channel * weightsOfChannel + k.number * kernel.width + l.number)
            )
          }
        }
      )
    }
    return Taps(
      rows, rows: (input.height - 1 - row) / stride + 1, columns: (input.width - 1 - column) / stride + 1,
      atOnce: atOnce, picture: (output.height, output.width), step: 1)
  }
}

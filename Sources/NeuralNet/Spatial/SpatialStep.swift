// Which layers run together, and what each of them does to a picture.
/// What happens to a picture at once: a layer, or a convolution and the activation behind it.
struct SpatialStep {
  enum Kind {
    case convolution(ConvolutionPlan, weight: Int, bias: Int?, activation: Activation?)
    case pooling(Pooling, on: PictureSize)
    case activation(Activation)
  }

  let kind: Kind
  let output: PictureSize

  var convolution: ConvolutionPlan? {
    if case .convolution(let plan, _, _, _) = kind { plan } else { nil }
  }

  /// - Parameters:
  ///   - shapes: in front of each layer.
  ///   - offsets: of each layer's tensors in the arena.
  static func list(_ layers: [any Layer], on shapes: [Shape], offsets: [[Int]]) -> [SpatialStep] {
    var steps: [SpatialStep] = []
    var picture = PictureSize(checked: shapes[0])
    for (index, layer) in layers.enumerated() {
      switch layer {
      case let layer as Convolution:
        let plan = ConvolutionPlan(layer, on: picture)
        let offsets = offsets[index]
        steps.append(
          SpatialStep(
            kind: .convolution(
              plan, weight: offsets[0], bias: offsets.count > 1 ? offsets[1] : nil, activation: nil),
            output: plan.output))
      case let layer as Pooling:
        steps.append(SpatialStep(kind: .pooling(layer, on: picture), output: layer.outputSize(on: picture)))
      case let layer as Activation:
        if case .convolution(let plan, let weight, let bias, nil)? = steps.last?.kind {
          steps[steps.count - 1] = SpatialStep(
            kind: .convolution(plan, weight: weight, bias: bias, activation: layer), output: plan.output)
        } else {
          steps.append(SpatialStep(kind: .activation(layer), output: picture))
        }
      default: break  // Flatten: every number stays where it is.
      }
      picture = steps.last?.output ?? picture
    }
    return steps
  }
}

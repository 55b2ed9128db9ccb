// libyaml, which reads the files of `--config`.
#pragma once
#include <yaml.h>

// libpng, for CImages: its errors jump, which only C may see.
#pragma once
#include <png.h>

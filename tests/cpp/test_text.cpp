// Text from files in messages.
#include <doctest/doctest.h>

#include "base/text.hpp"

using cmlp::printable;

TEST_CASE("text: what a terminal acts on is escaped, what people write is kept") {
    CHECK(printable("gr\xC3\xB6\xC3\x9F"
                    "e \xE6\x97\xA5 \xF0\x9F\x98\x80 a'\"\\") ==
          "gr\xC3\xB6\xC3\x9F"
          "e \xE6\x97\xA5 \xF0\x9F\x98\x80 a'\"\\");
    CHECK(printable("a\x1b[2J\r\n\x7f") == "a\\x1b[2J\\x0d\\x0a\\x7f");
    CHECK(printable("\xC2\x9B"
                    "31m") == "\\xc2\\x9b31m");
    CHECK(printable("\xE2\x80\xAE\xEF\xBB\xBF\xC2\xAD") == "\\xe2\\x80\\xae\\xef\\xbb\\xbf\\xc2\\xad");
    CHECK(printable("a\xFFz\xC3") == "a\\xffz\\xc3");
    CHECK(printable(std::string_view("\0x", 2)) == "\\x00x");
    CHECK(printable("") == "");
}

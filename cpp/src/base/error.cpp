// Messages of what is refused, numbers in them as std::ostream writes them; and the views that are.
#include <cmlp/base/error.hpp>
#include <cmlp/base/matrix.hpp>

#include <cstdio>

namespace cmlp::inline v0_1::detail {

void MessagePart::append_to(std::string& message) const {
    char number[32];
    switch (kind_) {
        case Kind::text:
            message += text_;
            break;
        case Kind::letter:
            message += static_cast<char>(integer_);
            break;
        case Kind::integer:
            message += std::to_string(integer_);
            break;
        case Kind::natural:
            message += std::to_string(natural_);
            break;
        case Kind::real:
            std::snprintf(number, sizeof number, "%g", real_);
            message += number;
            break;
    }
}

void fail(std::initializer_list<MessagePart> parts) {
    std::string message;
    for (const MessagePart& part : parts) part.append_to(message);
    throw std::invalid_argument(message);
}

void check_view(const void* data, Index rows, Index cols, Index row_stride) {
    require(rows >= 0 && cols >= 0, "MatrixView: there is no shape ", rows, "x", cols);
    require(data || rows == 0 || cols == 0, "MatrixView: a matrix ", rows, "x", cols, " without memory");
    require(rows <= 1 || row_stride >= cols, "MatrixView: rows of ", cols, " columns are ", row_stride,
            " elements apart, they must be at least ", cols);
}

}  // namespace cmlp::inline v0_1::detail

"""Services over gRPC: proto in, proto out."""

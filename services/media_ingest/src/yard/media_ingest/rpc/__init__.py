"""The three gRPC services: proto in, proto out."""

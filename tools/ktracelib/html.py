def html(trace):
    return ""

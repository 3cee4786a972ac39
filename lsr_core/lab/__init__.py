"""The conditioning lab: experiments that tell ill-conditioning from nonconvexity."""
